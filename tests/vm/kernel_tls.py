"""TLS of the kernel, without a handshake: two ends of a TCP connection that were given the same keys, for tests."""

import errno
import socket
import struct

SOL_TCP, TCP_ULP = socket.IPPROTO_TCP, 31
SOL_TLS, TX, RX, TX_ZEROCOPY_RO, RX_EXPECT_NO_PAD = 282, 1, 2, 3, 4
SET_RECORD_TYPE, GET_RECORD_TYPE = 1, 2
ALERT, HANDSHAKE, DATA = 21, 22, 23
V1_2, V1_3 = 0x0303, 0x0304
RECORD_BYTES_MAX = 16384
WAIT = struct.pack("ll", 20, 0)  # seconds and microseconds after which a call fails

# The kernel's number of a cipher, and the bytes of its initialization vector, key and salt.
AES_128_GCM = (51, 8, 16, 4)
AES_256_GCM = (52, 8, 32, 4)
CHACHA20_POLY1305 = (54, 12, 32, 0)
SUITES = {"AES-128-GCM": AES_128_GCM, "AES-256-GCM": AES_256_GCM, "ChaCha20-Poly1305": CHACHA20_POLY1305}


def keys(version=V1_3, cipher=AES_128_GCM, seed=1):
    """The bytes of struct tls12_crypto_info_*: TLS 1.3 has the same."""
    number, *lengths = cipher
    parts = (bytes((seed + at) % 256 for at in range(length)) for length in lengths)
    return struct.pack("HH", version, number) + b"".join(parts) + bytes(8)


def connect():
    """Both ends of a TCP connection of which nobody does TLS yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname(), 20)
        other, _ = listener.accept()
    one.settimeout(None)  # Python's own limit would make them non-blocking
    for end in (one, other):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, WAIT)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, WAIT)
        end.setsockopt(SOL_TCP, socket.TCP_NODELAY, 1)
    return one, other


def take_over(end, send=None, receive=None):
    """From here on the kernel does TLS at that end, in the directions that keys are given for."""
    end.setsockopt(SOL_TCP, TCP_ULP, b"tls")
    if send:
        end.setsockopt(SOL_TLS, TX, send)
    if receive:
        end.setsockopt(SOL_TLS, RX, receive)


def pair(version=V1_3, cipher=AES_128_GCM):
    """Two ends that do TLS in both directions."""
    one, other = connect()
    there, back = keys(version, cipher, 1), keys(version, cipher, 101)
    take_over(one, there, back)
    take_over(other, back, there)
    return one, other


def send_record(end, kind, data, flags=0):
    """A record of another kind than data."""
    return end.sendmsg([data], [(SOL_TLS, SET_RECORD_TYPE, bytes([kind]))], flags)


def receive_record(end, length=65536, flags=0):
    """The kind of what comes, None if the kernel doesn't say, and the bytes."""
    data, ancillary, _, _ = end.recvmsg(length, socket.CMSG_SPACE(1), flags)
    kinds = [value[0] for level, kind, value in ancillary if (level, kind) == (SOL_TLS, GET_RECORD_TYPE)]
    return (kinds[0] if kinds else None), data


def receive_exactly(end, length):
    data = bytearray()
    while len(data) < length:
        part = end.recv(length - len(data))
        if not part:
            break
        data += part
    return bytes(data)


def is_there():
    """Does this kernel do TLS at all?"""
    one, other = connect()
    with one, other:
        try:
            take_over(one)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return False
            raise
    return True
