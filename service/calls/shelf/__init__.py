"""What is known of recordings: whose they are, who consented, who listened, how long they are kept, and the proof of all that.

Knows rows only. Audio, keys and disks are the room `recordings`, which comes through the doors of this folder.
"""
