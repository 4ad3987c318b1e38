use sessile_conformance::Matrix;
use sessile_tower_sessions::{TowerSessionsStore, V0_14, V0_15};

#[tokio::test(flavor = "multi_thread")]
async fn probe() {
    let mut matrix = Matrix::new();
    matrix
        .run("0.15", &|| async {
            TowerSessionsStore::alone(V0_15(tower_sessions_0_15::MemoryStore::default()))
        })
        .await;
    for (_, law, v) in matrix.broken() {
        println!("{}: {v}", law.name());
    }
}
