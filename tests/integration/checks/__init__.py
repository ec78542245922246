# SPDX-License-Identifier: GPL-3.0-or-later
"""An eye of our own: reads mailboxes with Python's imaplib and poplib alone and knows nothing of the code it judges."""
