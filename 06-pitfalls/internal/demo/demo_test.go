package demo

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver/memservertest"
)

func TestRun_PrintsWhatHangsAndWhatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		stuck := &service.Server{OnCount: func(*pitfallsv1.CountRequest, numbers) error {
			<-release
			return nil
		}}
		var out strings.Builder
		runner := Runner{Target: &cli.Target{}, Limit: 3 * time.Second, Out: &out}

		err := runner.Run(t.Context(), "sample", Demo{
			Broken: Variant{Server: stuck, Run: countTo2},
			Fixed:  Variant{Run: countTo2},
		})

		require.NoError(t, err)
		require.Equal(t, `broken     3s  still runs; canceling its context
broken     3s  []; Canceled: context canceled
broken   3.5s  handlers that have not returned: 1
fixed      0s  [1 2]
fixed      0s  handlers that have not returned: 0
`, out.String())
	})
}

func TestRun_GoesOnIfTheCodeIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		stuck := func(context.Context, pitfallsv1.PitfallServiceClient) (any, error) {
			<-release
			return nil, nil
		}
		var out strings.Builder
		runner := Runner{Target: &cli.Target{}, Limit: time.Second, Out: &out}

		err := runner.Run(t.Context(), "sample", Demo{Broken: Variant{Run: stuck}, Fixed: Variant{Run: countTo2}})

		require.NoError(t, err)
		require.Contains(t, out.String(), "broken   1.5s  still runs, although its context is canceled\nfixed ")
	})
}

func TestRun_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runner := Runner{Target: &cli.Target{}, Limit: time.Hour, Out: io.Discard}
		hang := func(ctx context.Context, _ pitfallsv1.PitfallServiceClient) (any, error) {
			<-ctx.Done()
			return nil, nil
		}

		start := time.Now()
		err := runner.Run(pitfalltest.WithTimeout(t, time.Second), "sample", Demo{Broken: Variant{Run: hang}})

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestRun_ReturnsTheErrorOfItsOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full, out := io.Pipe()
		require.NoError(t, full.Close())
		runner := Runner{Target: &cli.Target{}, Limit: time.Second, Out: out}

		err := runner.Run(t.Context(), "sample", Demo{Broken: Variant{Run: countTo2}})

		require.ErrorIs(t, err, io.ErrClosedPipe)
	})
}

func TestServer_MetadataChoosesTheHandlers(t *testing.T) {
	refusing := &service.Server{OnCount: func(*pitfallsv1.CountRequest, numbers) error {
		return status.Error(codes.Aborted, "no")
	}}
	for key, want := range map[string]codes.Code{
		"broken/sample": codes.Aborted,
		"fixed/sample":  codes.OK,
		"":              codes.OK,
		"broken/other":  codes.NotFound,
	} {
		t.Run(key, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := NewServer(map[string]Demo{"sample": {Broken: Variant{Server: refusing}}})
				conn := memservertest.Dial(t, func(r grpc.ServiceRegistrar) {
					pitfallsv1.RegisterPitfallServiceServer(r, server)
				})
				ctx := metadata.AppendToOutgoingContext(t.Context(), "pitfall", key)
				_, err := countTo2(ctx, pitfallsv1.NewPitfallServiceClient(conn))
				require.Equal(t, want, status.Code(err), "got %v", err)
			})
		})
	}
}

type numbers = grpc.ServerStreamingServer[pitfallsv1.Number]

func countTo2(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 2})
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}
