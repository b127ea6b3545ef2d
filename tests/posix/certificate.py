#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client's certificate, as amazon-efs-utils makes them.

certificate.py DIR FS [--point ID] [--key ID SECRET] [--token TEXT] [--region NAME] [--age SECONDS]
leaves DIR/certificate.pem and DIR/key.pem.
"""

import argparse
import datetime
import hashlib
import hmac
import subprocess
from pathlib import Path

ARC = "1.3.6.1.4.1.4843.7."


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


def public_key_hash(key):
    # The bits are the last element of the SubjectPublicKeyInfo: 65 bytes with P-256.
    der = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    return hashlib.sha1(der[-65:]).hexdigest()


def signature(arguments, key, when):
    key_id, secret = arguments.key
    day = when.strftime("%Y%m%d")
    scope = [day, arguments.region, "elasticfilesystem", "aws4_request"]
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    query = {
        "Action": "Connect",
        "PublicKeyHash": public_key_hash(key),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "%2F".join([key_id, *scope]),
        "X-Amz-Date": stamp,
        "X-Amz-Expires": "86400",
        "X-Amz-SignedHeaders": "host",
    }
    if arguments.token:
        query["X-Amz-Security-Token"] = arguments.token
    request = "\n".join(
        [
            "GET",
            "/",
            "&".join(f"{k}={v}" for k, v in sorted(query.items())),
            f"host:{arguments.fs}",
            "host",
            hashlib.sha256(b"").hexdigest(),
        ]
    )
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), hashed])
    sign = ("AWS4" + secret).encode()
    for part in [*scope, text]:
        sign = hmac.new(sign, part.encode(), hashlib.sha256).digest()
    return sign.hex()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("fs")
    parser.add_argument("--point")
    parser.add_argument("--key", nargs=2)
    parser.add_argument("--token")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--age", type=int, default=0)
    a = parser.parse_args()

    a.directory.mkdir(exist_ok=True)
    key = a.directory / "key.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    when = datetime.datetime.utcnow() - datetime.timedelta(seconds=a.age)
    extensions = [f"{ARC}3 = ASN1:UTF8String:{a.fs}"]
    if a.point:
        extensions.append(f"{ARC}1 = ASN1:UTF8String:{a.point}")
    sections = ""
    if a.key:
        extensions.append(f"{ARC}2 = ASN1:SEQUENCE:iam")
        sections = (
            f"[iam]\nkey = UTF8String:{a.key[0]}\n"
            f"signature = OCTETSTRING:{signature(a, key, when)}\n"
            f"time = UTCTIME:{when.strftime('%y%m%d%H%M%SZ')}\n"
        )
        if a.token:
            sections += f"token = EXPLICIT:0,UTF8String:{a.token}\n"
    config = a.directory / "config"
    config.write_text(
        "[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n"
        "[dn]\nCN = test\n[ext]\n" + "\n".join(extensions) + "\n" + sections
    )
    openssl("req", "-new", "-x509", "-key", key, "-config", config, "-days", "1",
            "-out", a.directory / "certificate.pem")


main()
