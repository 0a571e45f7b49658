//! The pages as people meet them: forms filled in and sent, what they say, who may open and post what. How they look is for the
//! tests in a real browser.

mod browser;
mod contacts;
mod matrix;
mod sequences;
mod settings;
mod templates;
mod waiting;
