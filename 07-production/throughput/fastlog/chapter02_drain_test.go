// Code generated from 02-server-stream/logs/drain_test.go; DO NOT EDIT.

package fastlog

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func TestDrain_TellsFollowersWhereToResume(t *testing.T) {
	withEachClient(t, testDrain_TellsFollowersWhereToResume)
}

func testDrain_TellsFollowersWhereToResume(t *testing.T) {
	for name, settle := range map[string]func(){
		"followers wait":       synctest.Wait,
		"followers are behind": func() {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(100)
				server, client := startServer(t, log)
				results := make(chan error, 50)
				for range 50 {
					go func() {
						got, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, 0)
						if len(got) != 30 {
							err = fmt.Errorf("received %d entries, want 30; the status is: %w", len(got), err)
						}
						results <- err
					}()
				}
				synctest.Wait()
				appendLines(log, 30)
				settle()

				signaled := time.Now()
				server.Signal()
				require.NoError(t, server.Wait())

				require.Zero(t, time.Since(signaled), "the drain waited for followers that nobody had told")
				for range 50 {
					require.EqualError(t, <-results, "rpc error: code = Unavailable desc = shutting down; resume after 30")
				}
			})
		})
	}
}

func TestDrain_CancelsAFollowerThatDoesNotRead(t *testing.T) {
	withEachClient(t, testDrain_CancelsAFollowerThatDoesNotRead)
}

func testDrain_CancelsAFollowerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		server, client := startServer(t, log)
		stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		for range 1000 {
			log.Append(strings.Repeat("x", MaxLine), false)
		}
		synctest.Wait() // until the handler is blocked in Send

		signaled := time.Now()
		server.Signal()
		require.NoError(t, server.Wait())

		require.Equal(t, 5*time.Second, time.Since(signaled))
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
	})
}
