package causes

import (
	"strings"
	"testing"
)

// TestMessages shows the classes of what kubelets and runtimes write, and of what only looks like it.
func TestMessages(t *testing.T) {
	const pull, resolve = `failed to pull and unpack image "registry.example/shop/web:1.4": `, `failed to resolve reference "registry.example/shop/web:1.4": `
	const head, oci = `unexpected status from HEAD request to https://registry.example/v2/shop/web/manifests/1.4: `, `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: `
	for name, c := range map[string]struct {
		reason, message string
		want            Told
	}{
		"containerd finds no tag":                     {"ErrImagePull", `rpc error: code = NotFound desc = ` + pull + resolve + `registry.example/shop/web:1.4: not found`, toldNotFound},
		"the same while the kubelet backs off":        {"ImagePullBackOff", `Back-off pulling image "registry.example/shop/web:1.4": ErrImagePull: rpc error: code = NotFound desc = ` + pull + resolve + `registry.example/shop/web:1.4: not found`, toldNotFound},
		"CRI-O finds no tag":                          {"ErrImagePull", `initializing source docker://registry.example/shop/web:1.4: reading manifest 1.4 in registry.example/shop/web: manifest unknown`, toldNotFound},
		"CRI-O finds no tag and no artifact":          {"ErrImagePull", `unable to pull image or OCI artifact: pull image err: initializing source docker://registry.example/web:1: reading manifest 1 in registry.example/web: manifest unknown: manifest unknown; artifact err: get manifest: 404`, toldNotFound},
		"Docker finds no tag":                         {"ErrImagePull", `rpc error: code = Unknown desc = Error response from daemon: manifest for shop/web:1.4 not found: manifest unknown: manifest unknown`, toldNotFound},
		"a registry answers 404":                      {"ErrImagePull", pull + resolve + head + `404 Not Found`, toldNotFound},
		"a registry that tells strangers nothing":     {"ErrImagePull", `rpc error: code = Unknown desc = ` + pull + resolve + `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`, toldUnauthorized},
		"a registry that gives strangers no token":    {"ErrImagePull", pull + resolve + `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://registry.example/token?scope=x: 401 Unauthorized`, toldUnauthorized},
		"a registry that forbids":                     {"ErrImagePull", pull + resolve + head + `403 Forbidden`, toldUnauthorized},
		"Docker is denied":                            {"ErrImagePull", `Error response from daemon: pull access denied for shop/web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`, toldUnauthorized},
		"CRI-O has a wrong password":                  {"ErrImagePull", `initializing source docker://registry.example/web:1: unable to retrieve auth token: invalid username/password: unauthorized: no`, toldUnauthorized},
		"CRI-O is denied":                             {"ErrImagePull", `initializing source docker://registry.example/web:1: reading manifest 1 in registry.example/web: requested access to the resource is denied`, toldUnauthorized},
		"too many requests":                           {"ErrImagePull", `rpc error: code = Unknown desc = ` + pull + `failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/web/manifests/sha256:00: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.`, toldRateLimited},
		"too many requests for a token":               {"ErrImagePull", pull + resolve + `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.example/token: 429 Too Many Requests`, toldRateLimited},
		"CRI-O asked too often":                       {"ErrImagePull", `rpc error: code = Unknown desc = Error reading manifest latest in docker.io/shop/web: toomanyrequests: You have reached your pull rate limit.`, toldRateLimited},
		"no such host":                                {"ErrImagePull", `rpc error: code = Unknown desc = ` + pull + resolve + `failed to do request: Head "https://registry.example/v2/shop/web/manifests/1.4": dial tcp: lookup registry.example on 10.96.0.10:53: no such host`, toldUnreachable},
		"nobody answers":                              {"ErrImagePull", pull + resolve + `failed to do request: Head "https://registry.example/v2/": dial tcp 192.0.2.7:443: i/o timeout`, toldUnreachable},
		"a certificate that nobody trusts":            {"ErrImagePull", pull + resolve + `failed to do request: Head "https://registry.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`, toldUnreachable},
		"a proxy that does not answer":                {"ErrImagePull", pull + resolve + `failed to do request: Head "https://registry.example/v2/": proxyconnect tcp: dial tcp 192.0.2.9:3128: connect: connection refused`, toldUnreachable},
		"CRI-O finds no host":                         {"ErrImagePull", `initializing source docker://registry.example/web:1: pinging container registry registry.example: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host`, toldUnreachable},
		"a registry out of order":                     {"ErrImagePull", pull + resolve + head + `503 Service Unavailable`, toldUnreachable},
		"the kubelet's word for it":                   {"RegistryUnavailable", `image pull failed for registry.example/web because the registry is unavailable`, toldUnreachable},
		"the kubelet's word while it backs off":       {"ImagePullBackOff", `Back-off pulling image "registry.example/web": RegistryUnavailable: image pull failed for registry.example/web because the registry is unavailable: x`, toldUnreachable},
		"a signature":                                 {"ImagePullBackOff", `Back-off pulling image "registry.example/web": SignatureValidationFailed: image pull failed for registry.example/web because the signature validation failed: x`, toldUnsigned},
		"no such platform, which is not found either": {"ErrImagePull", `rpc error: code = NotFound desc = ` + pull + `no match for platform in manifest: not found`, toldArchitecture},
		"CRI-O has no such platform":                  {"ErrImagePull", `choosing image instance: no image found in image index for architecture "arm64", variant "v8", OS "linux"`, toldArchitecture},
		"Docker has no such platform":                 {"ErrImagePull", `Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries`, toldArchitecture},

		"an older kubelet that backs off and does not say why":    {"ImagePullBackOff", `Back-off pulling image "registry.example/web:1"`, ""},
		"a kubelet that was told to hold back":                    {"ErrImagePull", `pull QPS exceeded`, ""},
		"a disk that is full":                                     {"ErrImagePull", pull + `failed to copy: write /var/lib/containerd/x: no space left on device`, ""},
		"a registry that answers as if for others":                {"ErrImagePull", pull + resolve + head + "418 registry.example/shop/web:1.4: not found: toomanyrequests: unauthorized", ""},
		"what stands in more than one line":                       {"ErrImagePull", "manifest unknown\n429 Too Many Requests", ""},
		"what is very long":                                       {"ErrImagePull", "toomanyrequests: " + strings.Repeat("x", maxMessage), ""},
		"an image that is called like an answer":                  {"ErrImagePull", `failed to pull image "toomanyrequests": something nobody knows`, ""},
		"what a program says of an image":                         {"CrashLoopBackOff", `manifest unknown`, ""},
		"a message that would be of an image, of a configuration": {"CreateContainerConfigError", `toomanyrequests: x`, ""},

		"no such command in the path":             {"RunContainerError", oci + `error during container init: exec: "serve": executable file not found in $PATH: unknown`, toldNoCommand},
		"no such file":                            {"RunContainerError", oci + `exec: "/app/serve": stat /app/serve: no such file or directory: unknown`, toldNoCommand},
		"no such interpreter":                     {"RunContainerError", oci + `error during container init: exec /app/run.sh: no such file or directory`, ""},
		"CRI-O knows no such command":             {"CreateContainerError", `container create failed: unable to start container process: exec: "serve": executable file not found in $PATH`, toldNoCommand},
		"crun knows no such command":              {"CreateContainerError", "container create failed: executable file `serve` not found in $PATH: No such file or directory", toldNoCommand},
		"an image without a command":              {"CreateContainerError", `failed to generate container "0a" spec: failed to generate spec: no command specified`, toldNoCommand},
		"a file that may not be executed":         {"RunContainerError", oci + `exec: "/app/serve": permission denied: unknown`, toldNotExecutable},
		"a directory":                             {"RunContainerError", oci + `exec: "/app": is a directory: unknown`, toldNotExecutable},
		"a format that the kernel knows not":      {"RunContainerError", oci + `exec: "/app/serve": exec format error: unknown`, toldArchitecture},
		"an older runc says so":                   {"RunContainerError", `OCI runtime create failed: container_linux.go:380: starting container process caused: exec user process caused: exec format error: unknown`, toldArchitecture},
		"a working directory that is not":         {"RunContainerError", oci + `error during container init: chdir to cwd ("/srv") set in config.json failed: no such file or directory: unknown`, toldNoDirectory},
		"a directory onto a file":                 {"RunContainerError", oci + `error during container init: error mounting "/var/lib/kubelet/x" to rootfs at "/etc/app.conf": mount /var/lib/kubelet/x:/etc/app.conf: not a directory: unknown`, toldMount},
		"a directory onto a file, in newer words": {"RunContainerError", oci + `error during container init: error mounting "/x" to rootfs at "/y": mount /x:/y (via /proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists`, toldMount},
		"beneath a file":                          {"RunContainerError", oci + `error during container init: mkdir /src: not a directory: unknown`, toldMount},
		"a volume that is broken":                 {"RunContainerError", oci + `error during container init: error mounting "/x" to rootfs at "/y": mount /x:/y: stale NFS file handle: unknown`, ""},
		"a path of the node that is broken":       {"CreateContainerError", `failed to generate container "0a" spec: failed to generate spec: failed to stat "/data": stat /data: input/output error`, ""},
		"a device":                                {"CreateContainerError", `failed to generate container "0a" spec: failed to generate spec: error gathering device information while adding custom device "/dev/fuse": no such file or directory`, toldDevice},
		"a name that is taken":                    {"CreateContainerError", `failed to reserve container name "app_web-1_shop_1c_0": name "app_web-1_shop_1c_0" is reserved for "7c54f31e"`, toldNameTaken},
		"a name that is taken, in newer words":    {"CreateContainerError", `failed to reserve container name "app_web-1_shop_1c_0"; check if another CreateContainer request is in progress: name "app_web-1_shop_1c_0" is reserved for "7c54f31e"`, toldNameTaken},
		"an attempt that took too long":           {"CreateContainerError", `context deadline exceeded`, ""},
		"a command that is called like two":       {"RunContainerError", oci + `exec: "x\": permission denied: unknown exec: \"y": executable file not found in $PATH: unknown`, ""},

		"no ConfigMap":                     {"CreateContainerConfigError", `configmap "web" not found`, toldNoConfigMap},
		"no Secret":                        {"CreateContainerConfigError", `secret "web" not found`, toldNoSecret},
		"no key in a ConfigMap":            {"CreateContainerConfigError", `couldn't find key url in ConfigMap shop/web`, toldNoConfigMapKey},
		"no key in a Secret":               {"CreateContainerConfigError", `couldn't find key url in Secret shop/web`, toldNoSecretKey},
		"root":                             {"CreateContainerConfigError", `container has runAsNonRoot and image will run as root (pod: "web-1_shop(1c)", container: app)`, toldRoot},
		"a user without a number":          {"CreateContainerConfigError", `container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root (pod: "web-1_shop(1c)", container: app)`, toldRoot},
		"a cache that is late":             {"CreateContainerConfigError", `failed to sync configmap cache: timed out waiting for the condition`, ""},
		"Services that were not read yet":  {"CreateContainerConfigError", `services have not yet been read at least once, cannot construct envvars`, ""},
		"a message of a wait that is none": {"ContainerCreating", `secret "web" not found`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := toldOf(c.reason, c.message); got != c.want {
				t.Errorf("it is told that %q, want %q", got, c.want)
			}
		})
	}
}

// What ran may have written its own last message, in a runtime's words.
func TestALastMessageOfAProgramIsNotRead(t *testing.T) {
	const message = `exec: "serve": executable file not found in $PATH`
	for reason, want := range map[string]Told{"StartError": toldNoCommand, "ContainerCannotRun": toldNoCommand, "Error": "", "OOMKilled": "", "": ""} {
		if got := toldOfEnd(reason, message); got != want {
			t.Errorf("%s: it is told that %q, want %q", reason, got, want)
		}
	}
}

func TestAMessageOfTwoClassesIsOfNone(t *testing.T) {
	one, same, other := forms("a", "x.*"), forms("a", ".*y"), forms("b", ".*y")
	if got := classed("xy", noWrapping, append(one, same...)); got != "a" {
		t.Errorf("of one class by two forms it is %q", got)
	}
	if got := classed("xy", noWrapping, append(one, other...)); got != "" {
		t.Errorf("of two classes it is %q", got)
	}
}

func FuzzMessages(f *testing.F) {
	for _, s := range []string{`rpc error: code = NotFound desc = a/b:c: not found`, `Back-off pulling image "x": `, `exec: "x": permission denied`, `configmap "x" not found`, strings.Repeat("ErrImagePull: ", 200)} {
		f.Add("ErrImagePull", s)
	}
	known := map[Told]bool{"": true}
	for _, all := range [][]form{pullForms, startForms, configForms} {
		for _, x := range all {
			known[x.told] = true
		}
	}
	f.Fuzz(func(t *testing.T, reason, message string) {
		for _, told := range []Told{toldOf(reason, message), toldOfEnd(reason, message)} {
			if !known[told] {
				t.Errorf("%q is no class", told)
			}
		}
	})
}
