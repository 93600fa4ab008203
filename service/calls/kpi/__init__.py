"""The firm's policy for key figures of calls, version by version, and how a stored call is measured by it. A version is never changed."""
