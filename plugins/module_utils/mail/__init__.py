# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One mailbox to another over IMAP: survey, plan, apply, prove. See docs/architecture.md."""
