package sift

// counted are texts with their number of tokens.
var counted = []struct {
	text   string
	tokens int
}{
	{"10.0.0.7 - - [26/Nov/2026:07:12:55 +0000] \"GET /api/v1/orders/4711 HTTP/1.1\" 503 187 \"-\" \"kube-probe/1.34\"", 57},
	{"2026-11-26T07:12:55.104Z error failed to connect to database: dial tcp 10.96.14.3:5432: connect: connection refused", 40},
	{"java.lang.IllegalStateException: Failed to load ApplicationContext\n\tat org.springframework.boot.SpringApplication.run(SpringApplication.java:317)", 25},
	{"registry.example.com/shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 52},
	{"status.condition Available: False, MinimumReplicasUnavailable, Deployment does not have minimum availability.", 18},
	{"containers[app].resources.limits.memory: 256Mi\ncontainers[app].readinessProbe.httpGet.port: 8080", 27},
	{"The rollout waits for a readiness probe that asks a port which the container does not declare.", 18},
	{"Back-off restarting failed container app in pod web-7c9d8b6f5d-x7k2p_shop(3f2b8c1e-0d4a-4b57-9e2c-8a1f6d5e4c3b)", 63},
	{"panic: runtime error: invalid memory address or nil pointer dereference\ngoroutine 1 [running]:\nmain.main()\n\t/src/cmd/server/main.go:42 +0x1d", 38},
	{"Verbindung zur Datenbank fehlgeschlagen: Zugriff verweigert", 13},
	{"数据库连接失败：连接被拒绝", 8},
}
