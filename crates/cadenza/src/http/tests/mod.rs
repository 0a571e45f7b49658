//! The server as browsers and programs meet it, in one process and without a network where none is needed.

mod first_run;
mod sign_in;
mod skeleton;
mod world;
