"""Who works when: kinds of shifts, a person's shift of a day, and leave."""
