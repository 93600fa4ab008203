"""The ear: hears a switch, knows calls while they happen, tells the desk.

Bytes become frames (`wire`), frames become events (`guard`, `event`, `feed`), events change calls
(`step`, `livecall`, `grouping`, `floor`), and what a call amounts to is read off it (`facts`).
All of that is pure. `journal`, `listener`, `resync` and `sink` touch the disk, the network and the desk.
It knows phones, queues and times; it refuses to know customers, tickets or money.
"""
