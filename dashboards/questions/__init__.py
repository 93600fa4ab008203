"""What boards ask of the archive. A question names marts without a schema; the view narrows them to the reader's branches."""
