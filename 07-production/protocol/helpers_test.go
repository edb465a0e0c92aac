package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func register(srv jobsv1.JobServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { jobsv1.RegisterJobServiceServer(s, srv) }
}

// dial serves srv in memory and returns a client.
func dial(t *testing.T, srv jobsv1.JobServiceServer) jobsv1.JobServiceClient {
	t.Helper()
	return jobsv1.NewJobServiceClient(memservertest.Dial(t, register(srv)))
}

// A stub is a JobService whose Work is OnWork.
type stub struct {
	jobsv1.UnimplementedJobServiceServer
	OnWork func(workStream) error
}

func (s stub) Work(stream workStream) error { return s.OnWork(stream) }

// A job counts how many items run.
type job struct {
	mu sync.Mutex
	counts
}

type counts struct{ started, running, most int }

func (j *job) get() counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counts
}

func (j *job) add(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.started += max(n, 0)
	j.running += n
	j.most = max(j.most, j.running)
}

// run takes as long as the input says, such as "1s". Another input fails
// after 100 ms.
func (j *job) run(ctx context.Context, input string) (string, error) {
	j.add(1)
	defer j.add(-1)
	d, err := time.ParseDuration(input)
	if err != nil {
		d, err = 100*time.Millisecond, status.Errorf(codes.InvalidArgument, "input: must be a duration, got %q", input)
	}
	select {
	case <-time.After(d):
		return "slept " + input, err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// lines loops over results and prints them.
func lines(results iter.Seq2[*Result, error]) (lines []string, err error) {
	for r, err := range results {
		switch {
		case err != nil:
			return lines, err
		case r.Err != nil:
			lines = append(lines, fmt.Sprintf("%d: %v: %s", r.Item, status.Code(r.Err), status.Convert(r.Err).Message()))
		default:
			lines = append(lines, fmt.Sprintf("%d: %s", r.Item, r.Output))
		}
	}
	return lines, nil
}

// requireStatus compares the code, by name, and the message of err.
func requireStatus(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	require.Equal(t, code.String(), status.Code(err).String(), "got %v", err)
	require.Equal(t, message, status.Convert(err).Message())
}

// open calls Work, and sends a Hello with version 2 and the capabilities.
func open(t *testing.T, c jobsv1.JobServiceClient, capabilities ...jobsv1.Capability) clientStream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := c.Work(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(helloMessage(&jobsv1.Hello{Versions: []uint32{2}, Capabilities: capabilities})))
	resp, err := stream.Recv()
	require.NoError(t, err)
	require.NotNil(t, resp.GetWelcome(), "got %v", resp)
	return stream
}

func helloMessage(hello *jobsv1.Hello) *jobsv1.WorkRequest {
	return &jobsv1.WorkRequest{Event: &jobsv1.WorkRequest_Hello{Hello: hello}}
}

func output(item uint64, text string) *jobsv1.WorkResponse {
	return &jobsv1.WorkResponse{Item: item, Done: true, Event: &jobsv1.WorkResponse_Output{Output: text}}
}

func welcome(version, credits uint32) *jobsv1.WorkResponse {
	w := &jobsv1.Welcome{Version: version, Credits: credits}
	return &jobsv1.WorkResponse{Event: &jobsv1.WorkResponse_Welcome{Welcome: w}}
}

// newer gives a message what it has on the wire if the sender sets an event
// that was added to the proto later.
func newer[M proto.Message](msg M) M {
	unknown := protowire.AppendString(protowire.AppendTag(nil, 100, protowire.BytesType), "new")
	msg.ProtoReflect().SetUnknown(unknown)
	return msg
}

// newRoot returns a directory that is removed when the test ends.
func newRoot(t *testing.T) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	return root
}

// drain receives until the stream ends, and returns its status.
func drain(stream clientStream) error {
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
