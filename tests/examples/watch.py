#!/usr/bin/env python3
"""Follows a Worker's events over WebSocket and prints them, one JSON document a line.

usage: watch.py HOST:PORT WORKER_ID|all [--cursor TOKEN] [--token-file FILE] [--count N]
                [--tls-ca FILE [--tls-name NAME]]

With "all" it follows the whole Runtime; with --tls-ca over TLS, when that vouches for it. On Ctrl-C
it prints the cursor to go on with. Nothing but the standard library is needed: the client half of
RFC 6455 that an observer uses fits on this page.
"""
import argparse
import base64
import json
import os
import signal
import socket
import ssl
import struct
import sys


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("connection closed")
    return data


def read_frame(stream):
    first, second = read_exactly(stream, 2)
    length = second & 127
    if length == 126:
        (length,) = struct.unpack(">H", read_exactly(stream, 2))
    elif length == 127:
        (length,) = struct.unpack(">Q", read_exactly(stream, 8))
    return first & 15, read_exactly(stream, length)


def send_frame(sock, opcode, payload):
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
    sock.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)


def read_token(path):
    """The last one of a file as the Runtime takes it: lines `NAME SCOPES TOKEN` or `TOKEN`."""
    try:
        with open(path) as file:
            lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    except OSError as error:
        sys.exit(f"--token-file {path}: {error.strerror}")
    return lines[-1][-1] if lines else sys.exit(f"--token-file {path}: has no token")


def dial(args):
    host, _, port = args.address.rpartition(":")
    if not host or not port.isdigit():
        sys.exit(f"{args.address}: is not HOST:PORT")
    host = host.strip("[]")
    try:
        sock = socket.create_connection((host, int(port)))
        if args.tls_ca:
            context = ssl.create_default_context(cafile=args.tls_ca)
            sock = context.wrap_socket(sock, server_hostname=args.tls_name or host)
        return sock
    except ssl.SSLCertVerificationError as error:
        sys.exit(f"{args.address}: {error.verify_message.rstrip('.')}; --tls-name is whom it names")
    except ssl.SSLError as error:
        sys.exit(f"{args.address}: {error.reason or error}; is that TLS, and --tls-ca PEM?")
    except FileNotFoundError:
        sys.exit(f"--tls-ca {args.tls_ca}: there is no such file")
    except OSError as error:
        sys.exit(f"{args.address}: {error.strerror}; is a worker-runtime listening there?")


def read_head(stream):
    """Status line and Content-Length; the end of the connection is not the end of a head."""
    status, length = stream.readline().decode("latin-1").strip(), 0
    while True:
        line = stream.readline()
        if not line:
            raise EOFError
        if line == b"\r\n":
            return status, length
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "content-length":
            length = int(value)


def connect(args):
    token = read_token(args.token_file) if args.token_file else None
    sock = dial(args)
    path = "/v1/events/ws" if args.worker == "all" else f"/v1/workers/{args.worker}/events/ws"
    if args.cursor:
        path += "?cursor=" + args.cursor
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {args.address}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
    ]
    if token:
        lines.append("Authorization: Bearer " + token)
    stream = sock.makefile("rb")
    try:
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        status, length = read_head(stream)
    except (EOFError, OSError):
        remedy = "is it a worker-runtime?" if args.tls_ca else "if it speaks TLS, give --tls-ca"
        sys.exit(f"{args.address}: closed without an answer; {remedy}")
    if " 101 " not in status:
        sys.exit(f"{status}\n{stream.read(length).decode()}")
    return sock, stream


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("address")
    parser.add_argument("worker")
    parser.add_argument("--cursor")
    parser.add_argument("--token-file")
    parser.add_argument("--tls-ca", help="PEM file of who vouches for it; speaks TLS")
    parser.add_argument("--tls-name", help="whom its certificate names, when not HOST")
    parser.add_argument("--count", type=int, default=0, help="end after so many frames")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sock, stream = connect(args)
    cursor, seen = args.cursor, 0
    try:
        while not args.count or seen < args.count:
            opcode, payload = read_frame(stream)
            if opcode == 1:
                message = json.loads(payload)
                cursor = message.get("envelope", {}).get("cursor", cursor)
                print(json.dumps(message, ensure_ascii=False), flush=True)
                seen += 1
            elif opcode == 8:
                send_frame(sock, 8, payload[:2])
                code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                print(f"closed by the Runtime: {code} {payload[2:].decode()}", file=sys.stderr)
                return
            elif opcode == 9:
                send_frame(sock, 10, payload)
    except (KeyboardInterrupt, EOFError, OSError) as end:
        print(f"{str(end) or 'stopped'}; go on with --cursor {cursor}", file=sys.stderr)


if __name__ == "__main__":
    main()
