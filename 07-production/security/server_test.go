package security

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

// All types are used from many goroutines at once; the race detector finds
// what is not safe.
func TestOptions_ServeManyUsersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.log.Append("line", false)
		server := f.serveLog(t)
		credentials := f.as("ada")
		var serials sync.Map
		var users sync.WaitGroup
		for range 10 {
			client := f.dial(t, server, credentials)
			users.Go(func() {
				cert, err := f.ca.Issue(host, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				f.server.Set(cert)
				serials.Store(cert.Leaf.SerialNumber.Int64(), true)
				f.sessions.Revoke("nobody")
				for _, err := range Follow(t.Context(), client, new(logsv1.LogRequest), func(error) {}) {
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		users.Wait()
		n := 0
		for range serials.Range {
			n++
		}
		require.Equal(t, 10, n, "serial numbers")
	})
}

func TestOptions_ValidateTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		req := &logsv1.LogRequest{Contains: strings.Repeat("x", MaxContains+1)}
		stream, err := f.dial(t, f.serveLog(t), f.as("ada")).StreamLogs(t.Context(), req)
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Equal(t, codes.InvalidArgument, status.Code(err), "got %v", err)
	})
}

func TestOptions_HealthProbeNeedsATokenToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		auth := &Auth{Lookup: f.sessions.Lookup}
		server := servetest.Start(t, serve.New(Options(ServerTLS(f.server, f.ca.Pool), auth, f.quotas, 0)...))

		_, err := healthv1.NewHealthClient(server.Dial(t, f.tls())).Check(t.Context(), new(healthv1.HealthCheckRequest))
		require.EqualError(t, err, errToken.Error())

		_, err = healthv1.NewHealthClient(server.Dial(t, f.tls(), f.as("probe"))).Check(t.Context(), new(healthv1.HealthCheckRequest))
		require.NoError(t, err)
	})
}
