package security

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

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
