"""A real Asterisk that is called hard: is each call told as it was, how late, and what does hearing cost beside merely storing?"""
