#!/usr/bin/python3
"""show_mail.py --ready-file FILE: a mail server that keeps what it gets and prints whom it is for, what
it is about and the links in it. Its port is in FILE when it listens. Ends on SIGTERM and SIGINT."""

import argparse
import email.header
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mail_sink import MailSink

LOOK_EVERY_S = 0.3


def shown(mail):
    """A few lines about a mail."""
    subject = str(email.header.make_header(email.header.decode_header(mail.headers["Subject"] or "")))
    lines = [f"mail to {', '.join(mail.recipients)}: {subject}"]
    body = mail.headers.get_payload(decode=True).decode("utf-8", "replace")
    return lines + [f"    {link}" for link in re.findall(r"https?://\S+", body)]


def main():
    parser = argparse.ArgumentParser(description="Prints the mail that comes.")
    parser.add_argument("--ready-file", required=True)
    arguments = parser.parse_args()
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    with MailSink() as sink:
        with open(arguments.ready_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{sink.port}\n")
        os.replace(arguments.ready_file + ".new", arguments.ready_file)
        count = 0
        while signal.sigtimedwait(ending, LOOK_EVERY_S) is None:
            mails = sink.messages()
            for mail in mails[count:]:
                print("\n".join(shown(mail)), flush=True)
            count = len(mails)


if __name__ == "__main__":
    main()
