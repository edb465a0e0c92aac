package clientstream

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/bufnet"
)

// A refusal is an upload that the server ends. The directory has the file
// "taken" and the folder "folder"; a file may have 100 bytes.
type refusal struct {
	name string
	sent []*uploadv1.UploadRequest
	code codes.Code
	says string
}

// refusedEarly are what the server refuses as soon as it has seen it.
func refusedEarly() []refusal {
	many := strings.Repeat("x", 60)
	return append([]refusal{
		{"a chunk before the info", sends(chunk("x")),
			codes.InvalidArgument, "info: must be the first message"},
		{"an empty first message", sends(new(uploadv1.UploadRequest)),
			codes.InvalidArgument, "info: must be the first message"},
		{"a second info", sends(info("f"), info("f")),
			codes.InvalidArgument, "info: must be the first message only"},
		{"an empty chunk", sends(info("f"), chunk("")),
			codes.InvalidArgument, "chunk: must not be empty"},
		{"an empty message", sends(info("f"), new(uploadv1.UploadRequest)),
			codes.InvalidArgument, "chunk: must not be empty"},
		{"a name that exists", sends(info("taken")),
			codes.AlreadyExists, `name: "taken" exists`},
		{"the name of a folder", sends(info("folder")),
			codes.AlreadyExists, `name: "folder" exists and is not a file`},
		{"a folder to replace", sends(replacing("folder")),
			codes.AlreadyExists, `name: "folder" exists and is not a file`},
		{"too large as declared", sends(sized(101)),
			codes.ResourceExhausted, "size: at most 100 bytes are taken, got 101"},
		{"too large as sent", sends(info("f"), chunk(many), chunk(many)),
			codes.ResourceExhausted, "chunk: at most 100 bytes are taken"},
		{"a negative size", sends(sized(-1)),
			codes.InvalidArgument, "size: must not be negative, got -1"},
		{"more than declared", sends(sized(5), chunk("five!"), chunk("!")),
			codes.InvalidArgument, "size: 5 bytes declared, more arrived"},
		{"more than none", sends(sized(0), chunk("!")),
			codes.InvalidArgument, "size: 0 bytes declared, more arrived"},
		{"a message over 4 MiB", sends(info("f"), chunk(strings.Repeat("x", 4<<20))),
			codes.ResourceExhausted, "received message larger than max (4194309 vs. 4194304)"},
	}, badNames()...)
}

// refusedAtTheEnd are what only the half-close shows.
var refusedAtTheEnd = []refusal{
	{"no message", nil,
		codes.InvalidArgument, "info: must be the first message"},
	{"fewer than declared", sends(sized(5), chunk("four")),
		codes.InvalidArgument, "size: 5 bytes declared, 4 arrived"},
	{"none though declared", sends(sized(5)),
		codes.InvalidArgument, "size: 5 bytes declared, 0 arrived"},
}

func badNames() (all []refusal) {
	for name, says := range map[string]string{
		"":                       "must not be empty",
		".":                      "must not begin with a dot",
		"..":                     "must not begin with a dot",
		".hidden":                "must not begin with a dot",
		".upload-ABC":            "must not begin with a dot",
		"../f":                   "must not contain a slash or a backslash",
		"/etc/passwd":            "must not contain a slash or a backslash",
		"a/f":                    "must not contain a slash or a backslash",
		`..\f`:                   "must not contain a slash or a backslash",
		"f\x00":                  "must not contain a control character",
		"f\n":                    "must not contain a control character",
		strings.Repeat("x", 256): "must have at most 255 bytes, got 256",
	} {
		all = append(all, refusal{"the name " + name[:min(len(name), 20)], sends(info(name)),
			codes.InvalidArgument, "name: " + says})
	}
	return all
}

func sends(messages ...*uploadv1.UploadRequest) []*uploadv1.UploadRequest { return messages }

func sized(size int64) *uploadv1.UploadRequest {
	return infoMessage(&uploadv1.FileInfo{Name: "f", Size: &size})
}

func replacing(name string) *uploadv1.UploadRequest {
	return infoMessage(&uploadv1.FileInfo{Name: name, Replace: true})
}

func TestARefusalSaysWhyAndLeavesNothing(t *testing.T) {
	for _, r := range append(refusedAtTheEnd, refusedEarly()...) {
		t.Run(r.name, func(t *testing.T) {
			r.check(t, func(stream clientStream) {})
		})
	}
}

// The client goes on until Send fails, and would go on for ever.
func TestARefusalArrivesWhileTheClientStillSends(t *testing.T) {
	for _, r := range refusedEarly() {
		t.Run(r.name, func(t *testing.T) {
			r.check(t, func(stream clientStream) {
				for {
					if err := stream.Send(chunk("more")); err != nil {
						require.ErrorIs(t, err, io.EOF, "Send does not say why")
						return
					}
				}
			})
		})
	}
}

func (r refusal) check(t *testing.T, goOn func(clientStream)) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.MaxBytes = 100
		write(t, s, "taken", "old")
		require.NoError(t, s.Root.Mkdir("folder", 0o700))

		stream := open(t, t.Context(), dial(t, s), r.sent...)
		goOn(stream)
		_, err := stream.CloseAndRecv()

		require.Equal(t, r.code, status.Code(err), "got %v", err)
		require.Contains(t, status.Convert(err).Message(), r.says)
		synctest.Wait() // what gRPC refuses, it refuses before the handler returns
		require.Equal(t, []string{"folder", "taken"}, names(t, s))
		require.Equal(t, "old", read(t, s, "taken"))
	})
}

func TestUploadReturnsTheReasonOfARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.MaxBytes = 1 << 20
		_, err := Upload(t.Context(), dial(t, s), named("f"), endless{}, nil)
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "chunk: at most 1048576 bytes are taken")
		require.Empty(t, names(t, s))
	})
}

// The server reads nothing for an hour, so that flow control stops the
// client in Send. Then it refuses.
func TestARefusalWakesASendThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := grpc.StreamInterceptor(func(
			srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
		) error {
			time.Sleep(time.Hour)
			return handler(srv, ss)
		})
		server := bufnet.Serve(t, register(newServer(t)), late)
		client := uploadv1.NewUploadServiceClient(server.Dial(t))
		start := time.Now()
		_, err := Upload(t.Context(), client, named(".."), endless{}, nil)
		require.Equal(t, codes.InvalidArgument, status.Code(err), "got %v", err)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestWithoutMaxBytesTheLimitIsOneGiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := open(t, t.Context(), dial(t, newServer(t)), sized(DefaultMaxBytes+1)).CloseAndRecv()
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "size: at most 1073741824 bytes are taken")
	})
}

func TestADirectoryThatDoesNotWorkIsNotTheClientsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := dial(t, s)
		require.NoError(t, s.Root.Close())
		_, err := Upload(t.Context(), client, named("f"), strings.NewReader("x"), nil)
		require.Equal(t, codes.Internal, status.Code(err), "got %v", err)
	})
}
