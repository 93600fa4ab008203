"""What happens to devices: archived, moved between holders, fitted with parts, swapped, retired and brought back."""

from service.devices.actions.archive import change as change
from service.devices.actions.archive import create as create
from service.devices.actions.archive import move as move
from service.devices.actions.holding import AlreadyRetired as AlreadyRetired
from service.devices.actions.parts import fit as fit
from service.devices.actions.parts import replace as replace
from service.devices.actions.parts import take_out as take_out
from service.devices.actions.retiring import bring_back as bring_back
from service.devices.actions.retiring import retire as retire
from service.devices.actions.swaps import Standing as Standing
from service.devices.actions.swaps import install as install
from service.devices.actions.swaps import remove as remove
from service.devices.actions.swaps import swap as swap
from service.devices.actions.swaps import swap_for_serial as swap_for_serial
