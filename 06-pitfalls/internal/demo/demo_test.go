package demo

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver/memservertest"
)

func TestRun_PrintsWhatHangsAndWhatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		stuck := &service.Server{OnCount: func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			<-release
			return nil
		}}
		var out strings.Builder
		runner := Runner{Target: &cli.Target{}, Limit: 3 * time.Second, Out: &out}

		err := runner.Run(t.Context(), "sample", Demo{Broken: Variant{Server: stuck, Run: countTo2}, Fixed: Variant{Run: countTo2}})

		require.NoError(t, err)
		require.Equal(t, `broken     3s  still runs; canceling its context
broken     3s  []; Canceled: context canceled
broken   3.5s  handlers that have not returned: 1
fixed      0s  [1 2]
`, out.String())
	})
}

func TestRun_GoesOnIfTheCodeIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		stuck := func(context.Context, pitfallsv1.PitfallServiceClient) (any, error) { <-release; return nil, nil }
		var out strings.Builder
		runner := Runner{Target: &cli.Target{}, Limit: time.Second, Out: &out}

		require.NoError(t, runner.Run(t.Context(), "sample", Demo{Broken: Variant{Run: stuck}, Fixed: Variant{Run: countTo2}}))

		require.Contains(t, out.String(), "broken   1.5s  still runs, although its context is canceled\nfixed ")
	})
}

func TestRun_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		runner := Runner{Target: &cli.Target{}, Limit: time.Hour, Out: new(strings.Builder)}
		hang := func(ctx context.Context, _ pitfallsv1.PitfallServiceClient) (any, error) {
			<-ctx.Done()
			return nil, nil
		}

		start := time.Now()
		err := runner.Run(ctx, "sample", Demo{Broken: Variant{Run: hang}})

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestRun_CallsTheServerThatAddrNames(t *testing.T) {
	sample := Demo{Broken: Variant{Server: refusing, Run: countTo2}, Fixed: Variant{Run: countTo2}}
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	pitfallsv1.RegisterPitfallServiceServer(server, NewServer(map[string]Demo{"sample": sample}))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		server.Stop()
		require.NoError(t, <-served)
	}()

	var out strings.Builder
	runner := Runner{Target: &cli.Target{Addr: listener.Addr().String()}, Limit: time.Minute, Out: &out}
	require.NoError(t, runner.Run(t.Context(), "sample", sample))
	require.Regexp(t, `broken +\S+  \[\]; Aborted: no\nfixed +\S+  \[1 2\]\n`, out.String())

	err = runner.Run(t.Context(), "other", sample)
	require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
}

func TestServer_MetadataChoosesTheHandlers(t *testing.T) {
	for key, want := range map[string]codes.Code{
		"broken/sample": codes.Aborted,
		"fixed/sample":  codes.OK,
		"":              codes.OK,
		"broken/other":  codes.NotFound,
	} {
		t.Run(key, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := memservertest.Dial(t, func(r grpc.ServiceRegistrar) {
					pitfallsv1.RegisterPitfallServiceServer(r, NewServer(map[string]Demo{"sample": {Broken: Variant{Server: refusing}}}))
				})
				ctx := metadata.AppendToOutgoingContext(t.Context(), "pitfall", key)
				_, err := countTo2(ctx, pitfallsv1.NewPitfallServiceClient(conn))
				require.Equal(t, want, status.Code(err), "got %v", err)
			})
		})
	}
}

var refusing = &service.Server{OnCount: func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return status.Error(codes.Aborted, "no")
}}

func countTo2(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 2})
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}
