"""Messages about incidents, sent with Apprise: e-mail, Slack, webhooks and more."""
