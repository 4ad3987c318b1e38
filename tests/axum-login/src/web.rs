pub use app::App;

mod app;
mod auth;
mod protected;
