"""Sites: where customers' devices stand. A region holds projects, a project sites, a site devices.

It owns regions, projects, sites, their pictures and the labels by which a device is known at its place. It refuses to know
tickets and patrols: whether a site is in order follows from facts that contexts above hand in (`condition`).
"""
