//! The simulation of the whole: months of Cadenza on a virtual clock. All of it is in `tests/sim/`; this library is empty,
//! since nothing of it belongs to the product. See docs/simulation.md.
