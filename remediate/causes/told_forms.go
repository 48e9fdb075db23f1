package causes

import (
	"regexp"
	"slices"
)

// How the kubelet, containerd, CRI-O, Docker, runc and crun say what they say.

var noWrapping = regexp.MustCompile(`^rpc error: code = \w+ desc = `)

var pullWrapping = regexp.MustCompile(`^(?:` +
	`Back-off pulling image "[^"]*": |ErrImagePull: |failed to pull image "[^"]*": |rpc error: code = \w+ desc = |` +
	`failed to pull and unpack image "[^"]*": |failed to resolve (?:reference|image) "[^"]*": |failed to copy: |httpReade?r?Seeker: |failed open: |` +
	`failed to authorize: |failed to fetch (?:anonymous|oauth) token: |failed to do request: |` +
	`unable to pull image or OCI artifact: |pull image err: |initializing source \S+: |choosing image instance: |Requesting bearer token: |` +
	`(?:[Ee]rror )?(?:reading manifest \S+ in|pinging container registry|determining manifest MIME type for) \S+: |Error response from daemon: )`)

// What CRI-O adds where it tried the image as an artifact too.
const artifact = `(?:; artifact err: .*)?`

var pullForms = slices.Concat(
	forms(toldNotFound,
		`[^\s"]*[/:@][^\s"]*: not found`, // containerd: the reference
		`unexpected status(?: code)?(?: from (?:HEAD|GET) request to)? https?://[^\s"]+: 404 Not Found`,
		`(?:manifest|name) unknown(?:: .*)?`,
		`manifest for \S+ not found(?:: manifest unknown(?:: .*)?)?`),
	forms(toldUnauthorized,
		`pull access denied, repository does not exist or may require authorization: .*`,
		`pull access denied for \S+, repository does not exist or may require 'docker login'(?:: .*)?`,
		`unexpected status(?: code)?(?: from (?:HEAD|GET|POST) request to)? https?://[^\s"]+: (?:401 Unauthorized|403 Forbidden)(?: - Server message: .*)?`,
		`invalid status code from registry (?:401 \(Unauthorized\)|403 \(Forbidden\))`+artifact,
		`(?:unauthorized|denied)(?:: .*)?`, `requested access to the resource is denied`+artifact,
		`unable to retrieve auth token: invalid username/password(?:: .*)?`),
	forms(toldRateLimited,
		`unexpected status(?: code)?(?: from (?:HEAD|GET|POST) request to)? https?://[^\s"]+: 429 Too Many Requests(?: - Server message: .*|: toomanyrequests: .*)?`,
		`toomanyrequests: .*`),
	forms(toldUnreachable,
		`(?:Head|Get|Post) \\?"https?://[^\s"]+": (?:proxyconnect tcp: )?(?:dial tcp:? .*|net/http: (?:TLS handshake timeout|request canceled.*)|context deadline exceeded.*|EOF|read tcp \S+: .*|(?:tls|x509|remote error): .*|http: server gave HTTP response to HTTPS client)`,
		`unexpected status(?: code)?(?: from (?:HEAD|GET|POST) request to)? https?://[^\s"]+: 50[0234] [A-Za-z ]+`,
		`dial tcp:? .*`),
	forms(toldUnreachable, `RegistryUnavailable: image pull failed for \S+ because the registry is unavailable(?:: .*)?`),
	forms(toldUnsigned, `SignatureValidationFailed: image pull failed for \S+ because the signature validation failed(?:: .*)?`),
	forms(toldArchitecture,
		`no match for platform in manifest(?: \S+)?: not found`,
		`no image found in (?:image index|manifest list) for architecture "?\w+"?, variant .*`,
		`no matching manifest for \S+(?: \S+)? in the manifest list entries(?:: .*)?`),
)

var startWrapping = regexp.MustCompile(`^(?:rpc error: code = \w+ desc = |Error response from daemon: |` +
	`failed to (?:create|start) containerd task(?: "\w+")?: |failed to create (?:shim task|task for container|containerd container): |failed to start container "[^"]*": |` +
	`OCI runtime create failed: |(?:runc|crun|container) create failed: |[cC]ontainer creation error: |container_linux\.go:\d+: |starting container process caused:? |` +
	`unable to start container process: |error during container init: |failed to generate container "[^"]*" spec: |failed to generate spec: |` +
	`error creating container storage: )`)

// command is how runtimes quote what they were to execute.
const command = `\\?"?exec:? \\?"[^"]*": `

var startForms = slices.Concat(
	forms(toldNoCommand,
		command+`(?:executable file not found in \$PATH|(?:stat [^"]*: )?no such file or directory)"?(?:: unknown)?`,
		"executable file [^\"]* not found(?: in \\$PATH)?: No such file or directory(?:: OCI runtime attempted to invoke a command that was not found)?",
		`no command specified(?:: unknown)?`),
	forms(toldNotExecutable,
		command+`(?:permission denied|is a directory)"?(?:: unknown)?`,
		`open executable: Permission denied(?:: OCI permission denied)?`),
	forms(toldArchitecture,
		command+`exec format error"?(?:: unknown)?`,
		`exec (?:user process caused:? )?(?:/[^"]*: )?"?exec format error"?(?:: unknown)?`,
		`exec container process [^"]*: Exec format error`),
	forms(toldNoDirectory, `(?:chdir to cwd|mkdir cwd) \("[^"]*"\)(?: set in config\.json failed)?: (?:no such file or directory|permission denied|not a directory)(?:: unknown)?`),
	forms(toldMount,
		`error mounting "[^"]*" to rootfs at "[^"]*": .*(?:not a directory|read-only file system|file exists)(?:: unknown)?(?:: Are you trying to mount a directory onto a file .*)?`,
		`mkdir \S+: (?:not a directory|read-only file system|file exists)(?:: unknown)?`),
	forms(toldDevice, `error gathering device information while adding custom device "[^"]*": .*`),
	forms(toldNameTaken,
		`failed to reserve container name(?: "[^"]*")?(?:; check if another CreateContainer request is in progress)?: name "[^"]*" is reserved for "\w+"`,
		`error reserving ctr name \S+ for id \w+: name is reserved`,
		`(?:Conflict\. )?[tT]he container name "[^"]*" is already in use by (?:container )?"?\w+.*`),
)

var configForms = slices.Concat(
	forms(toldNoConfigMap, `configmaps? "[^"]*" not found`),
	forms(toldNoSecret, `secrets? "[^"]*" not found`),
	forms(toldNoConfigMapKey, `couldn't find key [-._a-zA-Z0-9]+ in ConfigMap \S+`),
	forms(toldNoSecretKey, `couldn't find key [-._a-zA-Z0-9]+ in Secret \S+`),
	forms(toldRoot,
		`container has runAsNonRoot and image will run as root(?: \(.*\))?`,
		`container has runAsNonRoot and image has non-numeric user \(.*\), cannot verify user is non-root(?: \(.*\))?`,
		`container's runAsUser breaks non-root policy(?: \(.*\))?`),
)
