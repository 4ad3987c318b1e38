//! Where Redis is, from a URL.

use redis::{ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use sessile_core::{Error, ErrorKind, Result};

/// Where Redis is.
#[derive(Debug)]
pub(crate) enum Address {
    Single(ConnectionInfo),
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        /// What the sentinels call the primary.
        name: String,
        /// The user, the password and the database of the primary.
        redis: RedisConnectionInfo,
        tls: bool,
    },
    Cluster {
        seeds: Vec<ConnectionInfo>,
        tls: bool,
    },
}

const FORMS: &str = "redis://host:6379/0, redis+sentinel://host:26379,host:26379/name/0, \
                     redis+cluster://host:6379,host:6379 or the same with rediss";

/// Reads a URL. Errors never quote it: a password may stand in it.
pub(crate) fn parse(url: &str) -> Result<Address> {
    let invalid = |message: &str| {
        Error::new(
            ErrorKind::Invalid,
            format!("the Redis URL {message}; write {FORMS}"),
        )
    };
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| invalid("has no scheme"))?;
    let (base, topology) = scheme.split_once('+').unwrap_or((scheme, ""));
    let tls = match base {
        "redis" => false,
        "rediss" if cfg!(feature = "tls") => true,
        "rediss" => {
            let message = "rediss:// needs the feature `tls` of sessile-redis";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        _ => return Err(invalid("has an unknown scheme")),
    };
    if rest.contains(['?', '#']) {
        return Err(invalid(
            "has a query or a fragment, which mean nothing here",
        ));
    }

    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let nodes = |user: &str, database: &str| {
        let node = |host: &str| {
            if host.is_empty() {
                return Err(invalid("lacks a host"));
            }
            let info = format!("{base}://{user}{host}/{database}").into_connection_info();
            info.map_err(|error| invalid("has a bad user, host or database").with_source(error))
        };
        hosts.split(',').map(node).collect::<Result<Vec<_>>>()
    };

    match topology {
        "" => match nodes(&user, path)?.pop() {
            Some(info) if !hosts.contains(',') => Ok(Address::Single(info)),
            _ => Err(invalid(
                "names several hosts but neither sentinel nor cluster",
            )),
        },
        "cluster" if path.is_empty() || path == "0" => {
            let seeds = nodes(&user, "")?;
            Ok(Address::Cluster { seeds, tls })
        }
        "cluster" => Err(invalid("names a database: a cluster has only one")),
        "sentinel" => {
            let (name, database) = path.split_once('/').unwrap_or((path, ""));
            if name.is_empty() {
                return Err(invalid(
                    "lacks the name that the sentinels have for the primary",
                ));
            }
            // The user and the password are those of Redis, not of the sentinels.
            let with_user = nodes(&user, database)?;
            let redis = with_user.first().map(|info| info.redis_settings().clone());
            Ok(Address::Sentinel {
                sentinels: nodes("", "")?,
                name: name.to_owned(),
                redis: redis.unwrap_or_default(),
                tls,
            })
        }
        _ => Err(invalid("has an unknown scheme")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let Address::Single(info) = parse("redis://user:p%40ss@localhost:7/3").unwrap() else {
            panic!("one server");
        };
        let settings = info.redis_settings();
        assert_eq!(info.addr().to_string(), "localhost:7");
        assert_eq!(settings.password(), Some("p@ss"));
        assert_eq!((settings.username(), settings.db()), (Some("user"), 3));

        let url = "redis+sentinel://:secret@a:1,b:2/main/4";
        let Address::Sentinel {
            sentinels,
            name,
            redis,
            ..
        } = parse(url).unwrap()
        else {
            panic!("sentinels");
        };
        assert_eq!((sentinels.len(), name.as_str()), (2, "main"));
        assert_eq!(sentinels[1].addr().to_string(), "b:2");
        assert_eq!(sentinels[1].redis_settings().password(), None);
        assert_eq!((redis.password(), redis.db()), (Some("secret"), 4));

        let Address::Cluster { seeds, tls } = parse("redis+cluster://a,[::1]:7001").unwrap() else {
            panic!("a cluster");
        };
        assert_eq!((seeds.len(), tls), (2, false));
        assert_eq!(seeds[0].addr().to_string(), "a:6379");
    }

    #[test]
    fn anything_else_is_refused_and_not_quoted() {
        for bad in [
            "",
            "localhost:6379",
            "http://secret@h",
            "redis+ring://secret@h",
            "redis://",
            "redis://a,b",
            "redis://secret@h/database",
            "redis://secret@h/0?protocol=resp2",
            "redis://secret@h/0#insecure",
            "redis+cluster://secret@h/1",
            "redis+cluster://a,,b",
            "redis+sentinel://secret@h",
            "redis+sentinel://secret@h/",
            "redis+sentinel://secret@h/name/x",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
            assert!(!format!("{error:?}").contains("secret"), "{bad}: {error:?}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_the_feature_tls_is_refused_by_its_name() {
        for url in [
            "rediss://h",
            "rediss+cluster://h",
            "rediss+sentinel://h/name",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("`tls`"));
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn with_the_feature_all_connections_of_rediss_are_encrypted() {
        let is_encrypted = |info: &ConnectionInfo| {
            matches!(
                info.addr(),
                redis::ConnectionAddr::TcpTls {
                    insecure: false,
                    ..
                }
            )
        };
        let Address::Single(info) = parse("rediss://h").unwrap() else {
            panic!("one server");
        };
        assert!(is_encrypted(&info));
        match parse("rediss+sentinel://h/name").unwrap() {
            Address::Sentinel { sentinels, tls, .. } => assert!(tls && is_encrypted(&sentinels[0])),
            other => panic!("{other:?}"),
        }
        match parse("rediss+cluster://h").unwrap() {
            Address::Cluster { seeds, tls } => assert!(tls && is_encrypted(&seeds[0])),
            other => panic!("{other:?}"),
        }
    }
}
