//! What end-to-end tests need: real servers, each started on a free port and stopped by its pid.
