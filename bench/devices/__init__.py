"""How fast is a device's history, at half a million devices and a million tickets?"""
