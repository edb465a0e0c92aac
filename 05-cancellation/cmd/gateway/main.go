// Command gateway relays the ticks of an exchange, or of another gateway.
package main

import "example.com/streams/05-cancellation/cmd/internal/mains"

func main() { mains.Gateway() }
