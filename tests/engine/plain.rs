//! Without EAP: authorisation by name, and one-time passwords. What the registry would find is handed in by the test: facts of real chains.

mod by_name;
mod code;
mod floods;
mod gateway;
mod names;
mod namesakes;
mod other_states;
mod ranks;
mod seats;
mod shown;
mod unproved;
mod without_code;
