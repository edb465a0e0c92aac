package testca

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIssue_IsValidForItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, err := New()
		require.NoError(t, err)
		require.Equal(t, time.Now().AddDate(10, 0, 0).UTC(), ca.root.Leaf.NotAfter)

		time.Sleep(time.Hour)
		for serial := range int64(3) {
			cert, err := ca.Issue("logs.example.com", time.Minute)
			require.NoError(t, err)
			require.NoError(t, cert.Leaf.VerifyHostname("logs.example.com"))
			require.Equal(t, time.Now().UTC(), cert.Leaf.NotBefore)
			require.Equal(t, time.Now().Add(time.Minute).UTC(), cert.Leaf.NotAfter)
			require.Equal(t, 2+serial, cert.Leaf.SerialNumber.Int64())
		}
	})
}
