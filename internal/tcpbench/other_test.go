//go:build !linux

package tcpbench

import "testing"

func TestTCP_IsTestedOnLinuxOnly(t *testing.T) {
	t.Skip("the tests read and set socket options of Linux")
}
