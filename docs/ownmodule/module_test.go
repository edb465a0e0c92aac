package ownmodule_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

func TestPage_LeadsToAGreenTest(t *testing.T) {
	m := newModule(t)
	var server, client block
	for _, b := range blocks(t) {
		m.do(b)
		switch b.kind {
		case "server":
			server = b
		case "client":
			client = b
		}
	}
	out := m.run("go test ./...")
	require.Contains(t, out, "ok  \texample.com/liftoff\t")
	for line := range strings.Lines(out) {
		tested, untested := strings.HasPrefix(line, "ok  \texample.com/liftoff\t"), strings.HasSuffix(line, "[no test files]\n")
		require.True(t, tested || untested, line)
	}
	if os.Getenv("SLOW") != "" {
		for _, file := range []string{"countdown/v1/countdown.pb.go", "countdown/v1/countdown_grpc.pb.go"} {
			text, err := os.ReadFile(filepath.Join(m.dir, file))
			require.NoError(t, err)
			golden.File(t, filepath.Join("testdata", file), string(text))
		}
	}

	t.Run("the programs", func(t *testing.T) {
		require.Equal(t, "go run ./cmd/server\n", server.body)
		command, printed, _ := strings.Cut(client.body, "\n")
		require.Equal(t, "$ go run ./cmd/client", command)
		m.run("go build -o bin/ ./cmd/...")
		p := testproc.Start(t, filepath.Join(m.dir, "bin/server"), "-addr=localhost:0")
		_, addr, ok := strings.Cut(p.Line(p.Stderr), "listening on ")
		require.True(t, ok)
		testproc.Start(t, filepath.Join(m.dir, "bin/client"), "-addr="+addr).RequireExit(0, printed, "")
	})
	t.Run("the errors", func(t *testing.T) { showErrors(t, m) })
	t.Run("the second RPC", func(t *testing.T) { addSum(t, m) })
}

// addSum does the page's third task, which needs the pinned tools.
func addSum(t *testing.T, m *module) {
	if os.Getenv("SLOW") == "" {
		t.Skip("generates code: set SLOW=1 to run it")
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	code := regexp.MustCompile("(?ms)^<!-- code: none \\(Sum exists only after the task\\) -->\n```go\n(.*?)^```$").FindAllSubmatch(text, -1)
	require.Len(t, code, 2, "the test and its answer")
	edit := func(file, old, with, end string) {
		text, err := os.ReadFile(filepath.Join(m.dir, file))
		require.NoError(t, err)
		require.Contains(t, string(text), old)
		m.write(file, strings.Replace(string(text), old, with, 1)+"\n"+end)
	}
	edit("countdown/v1/countdown.proto", "\n}\n", "\n  rpc Sum(stream SumRequest) returns (stream SumResponse);\n}\n",
		"message SumRequest { int64 number = 1; }\nmessage SumResponse { int64 sum = 1; }\n")
	edit("server.go", "import (", "import (\n\"errors\"\n\"io\"", string(code[1][1]))
	edit("server_test.go", "import (", "import (\n\"io\"", string(code[0][1]))
	// The page's next step before a second run of generate.
	edit("report/v1/report.proto", "example.com/streams/02-server-stream/", "example.com/liftoff/", "")
	m.run(m.buf("generate"))
	m.run("go test -run TestSum .")
	edit("server_test.go", "require.NoError(t, stream.CloseSend())\n", "", "")
	out, err := m.try("go test -run TestSum .")
	require.Error(t, err)
	require.Contains(t, out, "the test still runs at 2000-01-04 00:00:00")
}

// showErrors makes the mistakes that the page lists.
func showErrors(t *testing.T, m *module) {
	const readOnly = "GOFLAGS=-buildvcs=false" // which is -mod=readonly
	slow := os.Getenv("SLOW") != ""
	var table strings.Builder
	table.WriteString("| The error says | What happened, and what to do |\n|---|---|\n")
	for _, row := range []struct {
		slow      bool   // needs the pinned tools
		file      string // is changed for the command
		old, with string
		command   string
		says      string
		why, fix  string
	}{
		{true, "countdown/v1/countdown.proto", "package countdown.v1;", "package lab.v1;", m.buf("lint"),
			`Files with package "lab.v1" must be within a directory "lab/v1" ...`,
			"The folder does not have the name of the proto package.",
			"Rename one of the two."},
		{true, "buf.yaml", "    - RPC_REQUEST_STANDARD_NAME\n", "", m.buf("lint"),
			`RPC request type "ReportRequest" should be named ...`,
			"buf derives the names of requests and responses from the name of the RPC.",
			"Name the message so, or add the rule to `except` in `buf.yaml`."},
		{true, "countdown/v1/countdown.proto", "service CountdownService", "service Countdown", m.buf("lint"),
			`Service name "Countdown" should be suffixed with "Service"`,
			"The services of this course have this suffix.",
			"Rename the service, and generate the code again."},
		{true, "countdown/v1/countdown.proto", "message CountRequest {", "enum Phase { READY = 0; }\nmessage CountRequest {", m.buf("lint"),
			`Enum zero value name "READY" should be suffixed with "_UNSPECIFIED"`,
			"The zero value is also what a field without a value has.",
			"Let it mean nothing: `PHASE_UNSPECIFIED = 0`."},
		{true, "buf.gen.yaml", "module=example.com/liftoff", "module=example.com/other", m.buf("generate"),
			`generated file does not match prefix ...`,
			"`module=` is not the beginning of `go_package`.",
			"Write the module path of `go.mod` into both."},
		{true, "countdown/v1/countdown.proto", "option go_package", "// option go_package", m.buf("generate"),
			`unable to determine Go import path for ...`,
			"The proto has no `go_package`.",
			"Add the option."},
		{true, "go.mod", "google.golang.org/protobuf/cmd/protoc-gen-go\n", "", m.buf("generate"),
			`no such tool "protoc-gen-go"`,
			"`buf.gen.yaml` names a plugin that is not a tool of the module.",
			"Run its `go get -tool` command."},
		{false, "server_test.go", "example.com/liftoff/internal", "example.com/streams/internal", "go vet .",
			"no required module provides package example.com/streams/...",
			"A file still imports this repository.",
			"Run the `gofmt` command above, once for each package that you copied."},
		{false, "server_test.go", "example.com/liftoff/internal", "example.com/streams/internal",
			"cp go.mod go.mod.old; go mod edit -require=example.com/streams@v0.0.0 -replace=example.com/streams=../streams; go vet -mod=mod .; s=$?; mv go.mod.old go.mod; exit $s",
			"use of internal package ... not allowed",
			"With a `replace` directive Go finds the package, and still refuses to import it.",
			"Copy it."},
		{false, "server.go", "	countdownv1.UnimplementedCountdownServiceServer\n", "", "go build . || exit 0; go vet . && exit 0; go vet ./cmd/server", // the package builds; its test does not
			"missing method mustEmbedUnimplemented...",
			"The server's type does not embed what the generated code demands.",
			"Embed `UnimplementedCountdownServiceServer`, by value."},
		{false, "server_test.go", "countdownv1.RegisterCountdownServiceServer(r, liftoff.Server{})", "_ = liftoff.Server{}", "go test .",
			"code = Unimplemented desc = unknown service ...",
			"The server has not registered the service, or you reached another server.",
			"Call `RegisterCountdownServiceServer` before `Serve`; look at the address."},
		{false, "cmd/client/main.go", "addr, grpc.WithTransportCredentials(insecure.NewCredentials())", "addr); _ = insecure.NewCredentials(", "go run ./cmd/client",
			"grpc: no transport security set ...",
			"A connection needs credentials, even if they encrypt nothing.",
			"Pass the option."},
		{false, "", "", "", "bin/client -addr 127.0.0.1:1",
			"connect: connection refused",
			"Usually, nobody listens on the address.",
			"Start the server, and compare the ports."},
		{false, "", "", "", "bin/server -addr 127.0.0.1:0 2>log & p=$!; until grep -q listening log; do :; done; bin/server -addr $(sed 's/.* on //' log); s=$?; kill $p; exit $s",
			"bind: address already in use",
			"Another program has the port, such as an earlier run.",
			"End that program, or choose another `-addr`."},
	} {
		fmt.Fprintf(&table, "| `%s` | %s %s |\n", row.says, row.why, row.fix)
		if row.slow != slow {
			continue // the other kind of run makes this mistake
		}
		restore := func() {}
		if row.file != "" {
			text, err := os.ReadFile(filepath.Join(m.dir, row.file))
			require.NoError(t, err)
			require.Contains(t, string(text), row.old)
			m.write(row.file, strings.ReplaceAll(string(text), row.old, row.with))
			restore = func() { m.write(row.file, string(text)) }
		}
		out, err := m.try(row.command, readOnly)
		restore()
		require.Error(t, err, "%s printed:\n%s", row.command, out)
		for part := range strings.SplitSeq(row.says, "...") {
			require.Contains(t, out, strings.TrimSpace(part))
		}
	}
	golden.Section(t, page, "errors", table.String())
}

// The page gives the versions that the repository uses.
func TestPage_NamesThePinnedVersions(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var pinned []byte
	for _, file := range []string{"../../go.mod", "../../internal/tools/go.mod"} {
		mod, err := os.ReadFile(file)
		require.NoError(t, err)
		pinned = append(pinned, mod...)
	}
	versions := regexp.MustCompile(`([\w./-]+)@(v[\d.]+)`).FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, versions)
	for _, v := range versions {
		path := v[1]
		for !strings.Contains(string(pinned), path+" "+v[2]) {
			path = filepath.Dir(path) // the module of a package is one of its parents
			require.NotEqual(t, ".", path, "no go.mod pins %s at %s", v[1], v[2])
		}
	}
}

// Of this repository, a package may import only those that the page says to
// copy with it.
func TestPackages_StandAlone(t *testing.T) {
	const module = "example.com/streams/"
	var table strings.Builder
	table.WriteString("| Folder | What it is |\n|---|---|\n")
	for _, row := range []struct{ folder, what string }{
		{"internal/memserver", "a server in memory"},
		{"internal/memserver/memservertest", "the same for tests, with the limit of three days"},
		{"internal/wire", "prints the HTTP/2 frames of a connection"},
		{"internal/serve", "quotas, health and a drain around `grpc.Server`: see `ServeUntil`"},
		{"internal/serve/servetest", "runs such a server in a test, and drains it: see `Signal`"},
		{"internal/faultnet", "a network in memory whose connections fail when told to: " +
			"`n := faultnet.New(server.DialContext)`, dial with `grpc.WithContextDialer(n.DialContext)`, then `n.Conn().HalfOpen()`"},
		{"internal/testproc", "builds and starts commands in a test, reads the address of a server, and sends signals"},
		{"internal/printable", "makes strangers' text safe to print"},
		{"01-unary", "the snapshot"},
		{"02-server-stream/logs", "the log with many followers"},
		{"02-server-stream/report", "the report in chunks"},
		{"03-client-stream", "the upload"},
		{"04-bidi", "the chat"},
		{"05-cancellation", "the relay, and a follower that reconnects"},
	} {
		out, err := exec.Command("go", "list", "-deps", module+row.folder).Output()
		require.NoError(t, err)
		var with []string
		for line := range strings.Lines(string(out)) {
			if dep, ok := strings.CutPrefix(strings.TrimSpace(line), module); ok && dep != row.folder {
				with = append(with, "`"+dep+"`")
			}
		}
		if with != nil {
			row.what += "; copy with it: " + strings.Join(with, ", ")
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", row.folder, row.what)
	}
	golden.Section(t, page, "packages", table.String())
}
