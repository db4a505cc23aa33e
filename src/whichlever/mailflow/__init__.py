"""Where mail flows: a milter beside a mail server, and a watch over an IMAP folder."""
