"""Tables of devices: which columns they bring, how a known device is recognised, and how many are written at once."""

from service.devices.importing.devices import Devices as Devices
from service.devices.importing.fields import Places as Places
