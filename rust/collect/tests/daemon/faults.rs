//! Disks that fill and break: nothing is acknowledged meanwhile, health says so, and it heals.
