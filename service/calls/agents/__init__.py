"""Agents at work: who is ready, who talks, who pauses and why, and which queues they serve.

What a person chose and what the switch shows are two columns; whoever differs is put right by an order.
"""
