/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests for Kubernetes, for the CSI driver efs.csi.aws.com. */
#include <stdio.h>
#include <stdlib.h>

#include "stack/output.h"

#define DRIVER "efs.csi.aws.com"
#define CLASS  "efs-sc"

/* Volumes on demand: an access point for each. */
char *manifest_storage_class(const char *fs)
{
	char *text;

	if (asprintf(&text,
		     "apiVersion: storage.k8s.io/v1\n"
		     "kind: StorageClass\n"
		     "metadata:\n"
		     "  name: " CLASS "\n"
		     "provisioner: " DRIVER "\n"
		     "parameters:\n"
		     "  provisioningMode: efs-ap\n"
		     "  fileSystemId: %s\n"
		     "  directoryPerms: \"700\"\n"
		     "  gidRangeStart: \"1000\"\n"
		     "  gidRangeEnd: \"2000\"\n"
		     "reclaimPolicy: Retain\n"
		     "volumeBindingMode: Immediate\n",
		     fs) < 0)
		abort();
	return text;
}

/* A volume that is there, and a claim to it by name. */
char *manifest_volume(const char *name, const char *fs, const char *point,
		      const char *size)
{
	char *text;

	if (asprintf(&text,
		     "apiVersion: v1\n"
		     "kind: PersistentVolume\n"
		     "metadata:\n"
		     "  name: %1$s-pv\n"
		     "spec:\n"
		     "  capacity:\n"
		     "    storage: %4$s\n"
		     "  volumeMode: Filesystem\n"
		     "  accessModes:\n"
		     "    - ReadWriteMany\n"
		     "  persistentVolumeReclaimPolicy: Retain\n"
		     "  storageClassName: " CLASS "\n"
		     "  csi:\n"
		     "    driver: " DRIVER "\n"
		     "    volumeHandle: %2$s::%3$s\n"
		     "---\n"
		     "apiVersion: v1\n"
		     "kind: PersistentVolumeClaim\n"
		     "metadata:\n"
		     "  name: %1$s-pvc\n"
		     "  namespace: kafka\n"
		     "spec:\n"
		     "  accessModes:\n"
		     "    - ReadWriteMany\n"
		     "  storageClassName: " CLASS "\n"
		     "  volumeName: %1$s-pv\n"
		     "  resources:\n"
		     "    requests:\n"
		     "      storage: %4$s\n",
		     name, fs, point, size) < 0)
		abort();
	return text;
}
