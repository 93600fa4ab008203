"""How fast are lists and cards at two hundred thousand customers, half a million devices and a million calls?"""
