# The image of docker-compose.yml. Its content is made by `npm run image` from this machine's own files.
FROM scratch
ADD rootfs.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production
ENTRYPOINT ["/usr/bin/node", "/opt/knarr/bin/knarr"]
