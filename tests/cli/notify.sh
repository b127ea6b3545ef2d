# SPDX-License-Identifier: Apache-2.0
# A service manager is told by $NOTIFY_SOCKET when the service is ready.

cat >listen.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\0"))
open("bound", "w").close()
s.settimeout(30)
print(s.recv(99).decode(), s.recv(99).decode())
END
for name in "$PWD/socket" "@hawser-test-$$"; do
	rm -f bound
	python3 listen.py "$name" >told &
	eventually test -e bound
	NOTIFY_SOCKET=$name hawserd --run true 2>err
	wait $!
	same 'READY=1 STOPPING=1' "$(cat told)"
done
