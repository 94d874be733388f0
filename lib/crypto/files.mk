# lib/crypto: the only user of OpenSSL and libipsec_mb
LIB_CRYPTO_SRCS := \
	lib/crypto/cms_sign.c \
	lib/crypto/cms_verify.c \
	lib/crypto/der.c \
	lib/crypto/esp.c \
	lib/crypto/esp_ipsec_mb.c \
	lib/crypto/esp_openssl.c \
	lib/crypto/hash.c \
	lib/crypto/ike_cipher.c \
	lib/crypto/init.c \
	lib/crypto/ke.c \
	lib/crypto/labpki.c \
	lib/crypto/labpki_ext.c \
	lib/crypto/pkey.c \
	lib/crypto/prf.c \
	lib/crypto/pubkey.c \
	lib/crypto/sigalg.c \
	lib/crypto/sign.c \
	lib/crypto/verify.c \
	lib/crypto/x509.c \
	lib/crypto/x509_ext.c \
	lib/crypto/x509_file.c \
	lib/crypto/x509_names.c \
	lib/crypto/x509_path.c \
	lib/crypto/x509_verify.c
