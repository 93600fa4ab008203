"""Who changed what, when and from where: the audit as a page. It only reads."""
