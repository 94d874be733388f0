# lib/crypto: the only user of OpenSSL and libipsec_mb
LIB_CRYPTO_SRCS := \
	lib/crypto/esp_ipsec_mb.c \
	lib/crypto/hash.c \
	lib/crypto/ike_cipher.c \
	lib/crypto/init.c \
	lib/crypto/ke.c \
	lib/crypto/prf.c
