//! How often the gate cries wolf.
