//! Without EAP: authorisation by name, and one-time passwords. What the registry would find is handed in by the test: facts of real chains.

mod by_name;
mod code;
mod gateway;
mod namesakes;
