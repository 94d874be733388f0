# SPDX-License-Identifier: ISC
"""IKEv2 in Python, from the RFCs and without anything of ours: what known answers and corpora are made with."""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

PRF = {5: hashlib.sha256, 6: hashlib.sha384, 7: hashlib.sha512}
# hash, octets of SK_a, octets of the ICV
INTEG = {12: (hashlib.sha256, 32, 16), 13: (hashlib.sha384, 48, 24), 14: (hashlib.sha512, 64, 32)}
AES_CBC, AES_GCM, CHACHA = 12, 20, 28

SPI_I, SPI_R = 0x0102030405060708, 0x1112131415161718


# --- Keying material, RFC 7296 sections 2.13 to 2.18 ---

def prf(number, key, data):
    return hmac.new(key, data, PRF[number]).digest()


def prf_plus(number, key, seed, n):
    out, block, i = b"", b"", 1
    while len(out) < n:
        block = prf(number, key, block + seed + bytes([i]))
        out += block
        i += 1
    return out[:n]


def lengths(encr, bits, integ):
    """Octets of SK_e with salt, octets of SK_a."""
    key = bits // 8 if bits else 32
    return key + (0 if encr == AES_CBC else 4), INTEG[integ][1] if integ else 0


# --- Messages and payloads, section 3 ---

def header(first, exchange, flags, message_id, length, spi_r=SPI_R, version=0x20):
    return struct.pack(">QQBBBBII", SPI_I, spi_r, first, version, exchange, flags, message_id, length)


def chain(payloads):
    """[(type, body)] -> (type of the first, octets)."""
    out = b""
    for i, (_, body) in enumerate(payloads):
        following = payloads[i + 1][0] if i + 1 < len(payloads) else 0
        out += struct.pack(">BBH", following, 0, 4 + len(body)) + body
    return (payloads[0][0] if payloads else 0), out


def message(exchange, flags, message_id, payloads, spi_r=SPI_R):
    first, octets = chain(payloads)
    return header(first, exchange, flags, message_id, 28 + len(octets), spi_r) + octets


def transform(kind, number, bits=None, attributes=b""):
    if bits is not None:
        attributes += struct.pack(">HH", 0x8000 | 14, bits)
    return kind, number, attributes


def proposals(*items):
    """(protocol, spi, transforms) each."""
    out = b""
    for i, (protocol, spi, transforms) in enumerate(items):
        body = struct.pack(">BBBB", i + 1, protocol, len(spi), len(transforms)) + spi
        for k, (kind, number, attributes) in enumerate(transforms):
            more = 3 if k + 1 < len(transforms) else 0
            body += struct.pack(">BBHBBH", more, 0, 8 + len(attributes), kind, 0, number)
            body += attributes
        out += struct.pack(">BBH", 2 if i + 1 < len(items) else 0, 0, 4 + len(body)) + body
    return out


def notify(kind, data=b"", protocol=0, spi=b""):
    return struct.pack(">BBH", protocol, len(spi), kind) + spi + data


def ts_range(proto, port_lo, port_hi, lo, hi):
    return struct.pack(">BBHHH", 7 if len(lo) == 4 else 8, proto, 8 + 2 * len(lo), port_lo,
                       port_hi) + lo + hi


def ts_label(label):
    return struct.pack(">BBH", 10, 0, 4 + len(label)) + label


def selectors(*items):
    return struct.pack(">B3x", len(items)) + b"".join(items)


# --- The Encrypted payload, section 3.14 and RFC 5282 ---

def seal(suite, keys, iv, head, inner):
    """suite: (encr, bits, integ); keys: (SK_e, SK_a); head(length) -> IKE header; inner: a chain."""
    encr, _, integ = suite
    sk_e, sk_a = keys
    first, octets = inner
    icv = INTEG[integ][2] if integ else 16
    pad = -(len(octets) + 1) % (16 if encr == AES_CBC else 1)
    plain = octets + bytes(pad) + bytes([pad])
    sk = 4 + len(iv) + len(plain) + icv
    aad = head(28 + sk) + struct.pack(">BBH", first, 0, sk)
    if encr == AES_CBC:
        c = Cipher(algorithms.AES(sk_e), modes.CBC(iv)).encryptor()
        whole = aad + iv + c.update(plain) + c.finalize()
        return whole + hmac.new(sk_a, whole, INTEG[integ][0]).digest()[:icv]
    aead = AESGCM(sk_e[:-4]) if encr == AES_GCM else ChaCha20Poly1305(sk_e[:-4])
    return aad + iv + aead.encrypt(sk_e[-4:] + iv, plain, aad)


def counted(first, n):
    return bytes(range(first, first + n))


def seal_fixed(suite, counter, payloads, exchange=37, flags=0x08, message_id=7):
    """Under the keys that tests use: SK_e is 20.., SK_a is 50.., the IV of CBC e0.."""
    e, a = lengths(*suite)
    iv = counted(0xe0, 16) if suite[0] == AES_CBC else struct.pack(">Q", counter)
    return seal(suite, (counted(0x20, e), counted(0x50, a)), iv,
                lambda n: header(46, exchange, flags, message_id, n), chain(payloads))
