package errortexts

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// tools are what the compiler, go vet and linters say.
var tools = []text{
	{
		shows:   `...: assignment copies lock value to ...: ...Number contains google.golang.org/protobuf/runtime/protoimpl.MessageState contains sync.Mutex`,
		who:     "your code",
		fix:     "A message is copied by value. Copy with `proto.Clone`, or pass the pointer.",
		produce: vet,
	},
	{
		shows:   `...: ... passes lock by value: ...Number contains google.golang.org/protobuf/runtime/protoimpl.MessageState contains sync.Mutex`,
		who:     "your code",
		fix:     "A function takes a message by value. Take a pointer.",
		produce: vet,
	},
	{
		shows:   `...: ... passes lock by value: ...hub contains sync.Mutex`,
		who:     "your code",
		fix:     "A value receiver or a parameter copies the mutex, so a lock would lock a copy. Use a pointer.",
		produce: vet,
	},
	{
		shows:   `...: range var ... copies lock: ...Number contains google.golang.org/protobuf/runtime/protoimpl.MessageState contains sync.Mutex`,
		who:     "your code",
		fix:     "The loop copies each message. Keep a slice of pointers, as generated code does.",
		produce: vet,
	},
	{
		shows:   `...: return copies lock value: ...Number contains google.golang.org/protobuf/runtime/protoimpl.MessageState contains sync.Mutex`,
		who:     "your code",
		fix:     "A function returns a message by value. Return a pointer.",
		produce: vet,
	},
	{
		shows: `...: the cancel function is not used on all paths (possible context leak)`,
		who:   "your client",
		fix: "A path returns without `cancel`, so the stream can stay open on both sides: {abandoned-stream}. If " +
			"the stream is returned, do not defer `cancel`: {defer-cancel}.",
		produce: vet,
	},
	{
		shows:   `...: the cancel function returned by context.WithCancel should be called, not discarded, to avoid a context leak`,
		who:     "your client",
		fix:     "The `cancel` function is dropped, so it cannot cancel the stream: {abandoned-stream}.",
		produce: vet,
	},
	{
		shows:   `...: this return statement may be reached without using the cancel var defined on line ...`,
		who:     "your client",
		fix:     "This is the path that returns without `cancel`: {abandoned-stream}.",
		produce: vet,
	},
	{
		shows: `... does not implement pitfallsv1.PitfallServiceServer (missing method mustEmbedUnimplementedPitfallServiceServer)`,
		who:   "your server",
		fix: "Embed `UnimplementedPitfallServiceServer` in the type of the server, by value: " +
			"{01-unary#the-two-programs}.",
		produce: vet,
	},
	{
		shows:   `...: Error return value of ... is not checked (errcheck)`,
		who:     "your code",
		fix:     "The error of a call, such as `Send`, is dropped. Stop sending at the first error of `Send`: {send-eof}.",
		produce: lint,
	},
	{
		shows:   `...: comparing with == will fail on wrapped errors. Use errors.Is to check for a specific error (errorlint)`,
		who:     "your code",
		fix:     "Write `errors.Is`, such as `errors.Is(err, io.EOF)`.",
		produce: lint,
	},
	{
		shows:   `...: error is not nil (line ...) but it returns nil (nilerr)`,
		who:     "your code",
		fix:     "An error is turned into nil. If it is the error of a call, its status is lost.",
		produce: lint,
	},
	{
		shows: `...: SA1019: google.golang.org/grpc.Dial is deprecated: ... (staticcheck)`,
		who:   "your client",
		fix: "Use `grpc.NewClient`. A host name without a scheme now asks DNS: " +
			"{bufconn-dns}.",
		produce: lint,
	},
	{
		shows: `...: SA1019: google.golang.org/grpc.WithBlock is deprecated: ... (staticcheck)`,
		who:   "your client",
		fix: "`grpc.NewClient` does not wait for the connection. Use `grpc.WaitForReady` for the call and a " +
			"deadline: {no-reconnect}.",
		produce: lint,
	},
	{
		shows:   `...: SA1019: google.golang.org/grpc.WithInsecure is deprecated: ... (staticcheck)`,
		who:     "your client",
		fix:     "Use `grpc.WithTransportCredentials(insecure.NewCredentials())`: {01-unary#the-two-programs}.",
		produce: lint,
	},
}

func vet(t *testing.T) string {
	// go test runs a test again if a file has changed that it looked at.
	files, err := filepath.Glob("testdata/*/*.go")
	require.NoError(t, err)
	for _, file := range files {
		_, err := os.Stat(file)
		require.NoError(t, err)
	}
	return vetOnce()
}

var vetOnce = sync.OnceValue(func() string {
	out, _ := exec.Command("go", "vet", "./testdata/vet", "./testdata/unimplemented").CombinedOutput() // fails, because it finds something
	return string(out)
})

func lint(t *testing.T) string {
	if os.Getenv("SLOW") == "" {
		t.Skip("may build the linters, which takes minutes: set SLOW=1 to run it")
	}
	return lintOnce()
}

var lintOnce = sync.OnceValue(func() string {
	cmd := exec.Command("go", "tool", "-modfile=internal/tools/go.mod", "golangci-lint", "run",
		"--allow-parallel-runners", "./06-pitfalls/errortexts/testdata/lint")
	cmd.Dir = "../.."
	out, _ := cmd.CombinedOutput() // fails, because it finds something
	return string(out)
})
