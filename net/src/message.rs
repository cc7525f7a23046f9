//! Control messages: what is sent and received beside the bytes of a message (`cmsg(3)`).

#[doc(inline)]
pub use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
