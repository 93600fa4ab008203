"""How fast is a letter typed into the search field, at two hundred thousand customers and half a million devices?"""
